"""Answers, a JSON line for a JSON line, what botocore makes of a request, a response or a signature."""
import base64, datetime, hashlib, io, json, sys

from botocore import auth, awsrequest, credentials, httpchecksum, loaders, model, parsers, serialize

UTC = datetime.timezone.utc
models = {}


def service(name):
    if name not in models:
        # The model as it was published, as the shapes are generated from it: without what botocore itself adds.
        loader = loaders.Loader(include_default_extras=False)
        models[name] = model.ServiceModel(loader.load_service_model(name, "service-2"), name)
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
    if isinstance(value, io.BytesIO):
        value = value.read()
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
    body = base64.b64decode(ask["body"])
    # As botocore's endpoint does it: a streaming body reaches the parser unread.
    body = io.BytesIO(body) if operation.has_streaming_output and ask["status"] < 300 else body
    headers = awsrequest.HeadersDict(ask["headers"])
    response = {"status_code": ask["status"], "headers": headers, "body": body}
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


def do_chunked(ask):
    """A PUT whose body is framed: by botocore where it frames such bodies itself, else signed chunk by chunk with its signer."""
    data, said, trailer = base64.b64decode(ask["body"]), ask["said"], ask["trailer"]
    headers = {"x-amz-decoded-content-length": str(len(data)), "content-encoding": "aws-chunked", "host": ask["host"]}
    headers |= {"x-amz-trailer": trailer} if trailer else {}
    request = awsrequest.AWSRequest("PUT", "http://" + ask["host"] + "/b/k", headers, b"")
    frozen = datetime.datetime.fromtimestamp(ask["now"], UTC)
    auth.get_current_datetime = lambda remove_tzinfo=True: frozen.replace(tzinfo=None) if remove_tzinfo else frozen
    signer = auth.S3SigV4Auth(credentials.Credentials(ask["access_key"], ask["secret_key"]), "s3", "eu-west-1")
    signer.payload = lambda request: said
    signer.add_auth(request)
    previous = request.headers["Authorization"].rsplit("Signature=", 1)[1]
    digest = {"x-amz-checksum-crc32": httpchecksum.Crc32Checksum, "x-amz-checksum-sha1": httpchecksum.Sha1Checksum,
              "x-amz-checksum-sha256": httpchecksum.Sha256Checksum}.get(trailer)
    if not said.startswith("STREAMING-AWS4"):
        framed = httpchecksum.AwsChunkedWrapper(io.BytesIO(data), digest, trailer, ask["chunk"]).read()
    else:
        framed = b""

        def sign(what, *hashes):
            parts = ["AWS4-HMAC-SHA256-" + what, request.context["timestamp"], signer.credential_scope(request), previous]
            return signer.signature("\n".join([*parts, *hashes]), request)

        for at in range(0, len(data) + ask["chunk"], ask["chunk"]):
            chunk = data[at : at + ask["chunk"]]
            if chunk or at >= len(data):
                previous = sign("PAYLOAD", hashlib.sha256().hexdigest(), hashlib.sha256(chunk).hexdigest())
                framed += b"%x;chunk-signature=%s\r\n" % (len(chunk), previous.encode())
                framed += chunk + b"\r\n" if chunk else b""
            if not chunk:
                break
        if trailer:
            checksum = digest()
            checksum.update(data)
            line = trailer + ":" + checksum.b64digest()
            previous = sign("TRAILER", hashlib.sha256((line + "\n").encode()).hexdigest())
            framed += (line + "\r\nx-amz-trailer-signature:" + previous + "\r\n").encode()
        framed += b"\r\n"
    return prepared(request.prepare()) | {"body": base64.b64encode(framed).decode()}


for line in sys.stdin:
    ask = json.loads(line)
    answer = globals()["do_" + ask["do"]](ask)
    print(json.dumps(answer), flush=True)
