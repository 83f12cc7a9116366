"""Answers, a JSON line for a JSON line, what botocore makes of a request, a response or a signature."""
import base64, datetime, json, sys

from botocore import auth, awsrequest, credentials, loaders, model, parsers, serialize

UTC = datetime.timezone.utc
models = {}


def service(name):
    if name not in models:
        models[name] = model.ServiceModel(loaders.Loader().load_service_model(name, "service-2"), name)
    return models[name]


def lift(value):
    """Our marked JSON as botocore wants its parameters."""
    if isinstance(value, list):
        return [lift(item) for item in value]
    if isinstance(value, dict):
        if "$ms" in value:
            return datetime.datetime.fromtimestamp(value["$ms"] / 1000, UTC)
        if "$blob" in value:
            return base64.b64decode(value["$blob"])
        return {key: lift(item) for key, item in value.items()}
    return value


def lower(value):
    """The way back."""
    if isinstance(value, list):
        return [lower(item) for item in value]
    if isinstance(value, dict):
        return {key: lower(item) for key, item in value.items()}
    if isinstance(value, datetime.datetime):
        return {"$ms": round(value.timestamp() * 1000)}
    if isinstance(value, (bytes, bytearray)):
        return {"$blob": base64.b64encode(value).decode()}
    return value


def prepared(request):
    body = request.body
    body = body.encode() if isinstance(body, str) else bytes(body or b"")
    path, _, query = request.url.split("://", 1)[1].partition("?")
    headers = [[key, value.decode() if isinstance(value, bytes) else value] for key, value in request.headers.items()]
    return {
        "method": request.method,
        "path": "/" + path.partition("/")[2],
        "query": query,
        "headers": headers,
        "body": base64.b64encode(body).decode(),
    }


def do_serialize(ask):
    operation = service(ask["service"]).operation_model(ask["operation"])
    protocol = ask.get("protocol") or service(ask["service"]).protocol
    serializer = serialize.create_serializer(protocol, include_validation=False)
    request = serializer.serialize_to_request(lift(ask["value"]), operation)
    awsrequest.prepare_request_dict(request, "http://127.0.0.1:4566")
    return prepared(awsrequest.create_request_object(request).prepare())


def do_parse(ask):
    operation = service(ask["service"]).operation_model(ask["operation"])
    parser = parsers.create_parser(service(ask["service"]).protocol)
    response = {"status_code": ask["status"], "headers": dict(ask["headers"]), "body": base64.b64decode(ask["body"])}
    parsed = parser.parse(response, operation.output_shape)
    metadata = parsed.pop("ResponseMetadata", {})
    return {"value": lower(parsed), "request_id": metadata.get("RequestId")}


def do_error(ask):
    """What a client shows of an error."""
    operation = service(ask["service"]).operation_model(ask["operation"])
    parser = parsers.create_parser(ask["protocol"])
    response = {"status_code": ask["status"], "headers": dict(ask["headers"]), "body": base64.b64decode(ask["body"])}
    parsed = parser.parse(response, operation.output_shape)
    metadata = parsed["ResponseMetadata"]
    return {"code": parsed["Error"]["Code"], "message": parsed["Error"]["Message"], "request_id": metadata.get("RequestId")}


def do_signing_name(ask):
    return {"name": service(ask["service"]).signing_name}


def do_sign(ask):
    key = credentials.Credentials(ask["access_key"], ask["secret_key"], ask["token"])
    url = "http://" + ask["host"] + ask["path"] + ("?" + ask["query"] if ask["query"] else "")
    request = awsrequest.AWSRequest(ask["method"], url, dict(ask["headers"]), base64.b64decode(ask["body"]))
    classes = {
        ("header", False): auth.SigV4Auth,
        ("header", True): auth.S3SigV4Auth,
        ("query", False): auth.SigV4QueryAuth,
        ("query", True): auth.S3SigV4QueryAuth,
    }
    frozen = datetime.datetime.fromtimestamp(ask["now"], UTC)
    auth.get_current_datetime = lambda remove_tzinfo=True: frozen.replace(tzinfo=None) if remove_tzinfo else frozen
    classes[ask["form"], ask["service"] == "s3"](key, ask["service"], ask["region"]).add_auth(request)
    return prepared(request.prepare())


for line in sys.stdin:
    ask = json.loads(line)
    answer = globals()["do_" + ask["do"]](ask)
    print(json.dumps(answer), flush=True)
