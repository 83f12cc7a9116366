#!/usr/bin/env bash
# botocore 1.44.5: over RPC v2 with CBOR, the protocol that CloudWatch's model lists first, the answer of an operation
# that has no output (PutMetricData, DeleteAlarms) comes without ResponseMetadata.RequestId, although the header
# x-amzn-requestid is there. Over JSON and Query the same answers have it, and so have those of operations with output over CBOR.
#
# Seen (Python 3, botocore 1.44.5):
#   smithy-rpc-v2-cbor PutMetricData RequestId=None
#   smithy-rpc-v2-cbor ListMetrics RequestId=abc
#   json PutMetricData RequestId=abc
#   query PutMetricData RequestId=abc
# So whoever logs request ids of CloudWatch calls, or correlates by them, has none for its writes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --target "$folder/lib" "botocore==1.44.5"
PYTHONPATH="$folder/lib" python3 - <<'PY' | tee "$folder/seen"
import botocore.parsers
import botocore.session
from botocore.model import ServiceModel

loader = botocore.session.Session().get_component("data_loader")
cloudwatch = ServiceModel(loader.load_service_model("cloudwatch", "service-2"), "cloudwatch")
xml = "<{0}Response>{1}<ResponseMetadata><RequestId>abc</RequestId></ResponseMetadata></{0}Response>"
bodies = {
    ("smithy-rpc-v2-cbor", "PutMetricData"): b"",
    ("smithy-rpc-v2-cbor", "ListMetrics"): b"\xa0",
    ("json", "PutMetricData"): b"",
    ("query", "PutMetricData"): xml.format("PutMetricData", "").encode(),
}
for (protocol, operation), body in bodies.items():
    answer = {
        "status_code": 200,
        "headers": {"smithy-protocol": "rpc-v2-cbor", "x-amzn-requestid": "abc"},
        "body": body,
    }
    shape = cloudwatch.operation_model(operation).output_shape
    parsed = botocore.parsers.create_parser(protocol).parse(answer, shape)
    print(protocol, operation, f"RequestId={parsed['ResponseMetadata'].get('RequestId')}")
PY
diff "$folder/seen" - <<'EXPECTED'
smithy-rpc-v2-cbor PutMetricData RequestId=None
smithy-rpc-v2-cbor ListMetrics RequestId=abc
json PutMetricData RequestId=abc
query PutMetricData RequestId=abc
EXPECTED
