"""A load balancer's API: moto, behind a gate that is as strict as AWS about who asks.

Usage: alb.py PORT SETTINGS, where SETTINGS is JSON: region, key, secret, token (or null), blue and green (lists of `address:port`).

The gate checks each signature by what botocore makes of the same request. The health of targets is looked up: moto says that all is well.
What lies below `/-/` is for the test alone, and asks for no signature.
"""

import datetime
import functools
import io
import json
import socket
import sys
import threading
import time
import urllib.parse

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core import DEFAULT_ACCOUNT_ID
from moto.elbv2.models import elbv2_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

PORT, SETTINGS = int(sys.argv[1]), json.loads(sys.argv[2])
SERVICE = "elasticloadbalancing"
# Whoever sets up and changes by hand: let through.
OPERATOR = "AKIAOPERATOR"
NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"

# Seconds until a change is answered: whoever looks the weights up has seen it by then.
TO_FOLLOW = 0.2

moto = DomainDispatcherApplication(create_backend_app)
# What goes wrong: `throttle` (so many times), `away`, `page`, `clock` (seconds), `deny` (an action), `forget`, `sick`.
faults = {}
# ARNs, once they are there.
arns = {}
lock = threading.Lock()


@functools.cache
def client(service):
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{PORT}",
        region_name=SETTINGS["region"],
        aws_access_key_id=OPERATOR,
        aws_secret_access_key="of no worth",
    )


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def check_signature(method, url, headers, body):
    """Raises what AWS answers to who is not who they say."""
    authorization = headers.get("authorization", "")
    if not authorization.startswith("AWS4-HMAC-SHA256 "):
        raise Refused(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
    parts = dict(part.strip().split("=", 1) for part in authorization.split(" ", 1)[1].split(","))
    key, date, region, service, end = parts["Credential"].split("/")
    if key != SETTINGS["key"] or headers.get("x-amz-security-token") != SETTINGS["token"]:
        raise Refused(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    stamp = headers.get("x-amz-date", "")
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)
    now += datetime.timedelta(seconds=faults.get("clock", 0))
    form = "%Y%m%dT%H%M%SZ"
    early = (now - datetime.timedelta(minutes=15)).strftime(form)
    late = (now + datetime.timedelta(minutes=15)).strftime(form)
    if stamp < early:
        message = f"Signature expired: {stamp} is now earlier than {early} ({now.strftime(form)} - 15 min.)"
        raise Refused(403, "SignatureDoesNotMatch", message)
    if stamp > late:
        message = f"Signature not yet current: {stamp} is still later than {late} ({now.strftime(form)} + 15 min.)"
        raise Refused(403, "SignatureDoesNotMatch", message)
    signed = parts["SignedHeaders"].split(";")
    needed = {"host"} | {name for name in headers if name.startswith("x-amz-")}
    if body:
        needed.add("content-type")
    if (date, region, service, end) != (stamp[:8], SETTINGS["region"], SERVICE, "aws4_request") or not needed <= set(signed):
        raise Refused(403, "SignatureDoesNotMatch", f"what has to be signed is not: {authorization}")
    request = AWSRequest(method, url, {name: headers.get(name, "") for name in signed}, body)
    request.context["timestamp"] = stamp
    auth = SigV4Auth(Credentials(key, SETTINGS["secret"]), SERVICE, SETTINGS["region"])
    text = auth.string_to_sign(request, auth.canonical_request(request))
    if auth.signature(text, request) != parts["Signature"]:
        message = "The request signature we calculated does not match the signature you provided."
        raise Refused(403, "SignatureDoesNotMatch", message + " Check your AWS Secret Access Key and signing method.")


def looked_up(group):
    """The health of a group's targets, as an answer of the API."""
    told = []
    for target in client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]:
        target = target["Target"]
        try:
            if faults.get("sick"):
                raise ConnectionRefusedError
            socket.create_connection((target["Id"], target["Port"]), timeout=1).close()
            health = "<State>healthy</State>"
        except OSError:
            health = (
                "<State>unhealthy</State><Reason>Target.FailedHealthChecks</Reason>"
                "<Description>Health checks failed</Description>"
            )
        told.append(
            f"<member><Target><Id>{target['Id']}</Id><Port>{target['Port']}</Port></Target>"
            f"<TargetHealth>{health}</TargetHealth></member>"
        )
    name = "DescribeTargetHealth"
    return (
        f'<{name}Response xmlns="{NAMESPACE}"><{name}Result><TargetHealthDescriptions>{"".join(told)}'
        f"</TargetHealthDescriptions></{name}Result></{name}Response>"
    )


def asked(environ):
    """What is asked of the API: an answer of the gate's own, or none where moto is to answer."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    query = environ.get("QUERY_STRING", "")
    headers = {
        name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    environ["wsgi.input"] = io.BytesIO(body)
    if f"Credential={OPERATOR}/" in headers.get("authorization", ""):
        return None
    with lock:
        if faults.get("page"):
            return "200 OK", "text/html", "<html>\n<form>Log in<br></form></html>"
        if faults.get("away"):
            raise Refused(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.")
        if faults.get("throttle", 0) > 0:
            faults["throttle"] -= 1
            raise Refused(400, "Throttling", "Rate exceeded")
    url = f"http://127.0.0.1:{PORT}{environ['PATH_INFO']}" + (f"?{query}" if query else "")
    check_signature(environ["REQUEST_METHOD"], url, headers, body)
    pairs = urllib.parse.parse_qs((query or body.decode()), strict_parsing=True)
    action = pairs["Action"][0]
    if action == faults.get("deny"):
        raise Refused(403, "AccessDenied", f"User: deployer is not authorized to perform: {SERVICE}:{action}")
    if action.startswith("Modify") and environ["REQUEST_METHOD"] != "POST":
        raise Refused(400, "ValidationError", "a change comes as POST")
    if faults.get("forget") and action.startswith("Modify"):
        return "200 OK", "text/xml", f'<{action}Response xmlns="{NAMESPACE}"><{action}Result/></{action}Response>'
    if action == "DescribeTargetHealth":
        group = pairs["TargetGroupArn"][0]
        if group not in (arns["blue"], arns["green"]):
            return None
        return "200 OK", "text/xml", looked_up(group)
    return None


def told(environ):
    """What the test asks for."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    path = environ["PATH_INFO"]
    if path == "/-/arns":
        return arns
    if path == "/-/faults":
        with lock:
            faults.clear()
            faults.update(json.loads(body))
        return faults
    if path == "/-/by-hand":
        wish = json.loads(body)
        getattr(client("elbv2"), wish.pop("call"))(**wish)
        return {}
    if path == "/-/rule":
        # Asked for all the time: without a client, which takes its time.
        rules = elbv2_backends[DEFAULT_ACCOUNT_ID][SETTINGS["region"]].describe_rules(None, [arns["rule"]])
        return [action.data for action in rules[0].actions]
    raise KeyError(path)


def gate(environ, start):
    if environ["PATH_INFO"].startswith("/-/"):
        status, kind, text = "200 OK", "application/json", json.dumps(told(environ))
    else:
        try:
            answer = asked(environ)
        except Refused as refused:
            text = (
                f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{refused.code}</Code>'
                f"<Message>{refused.message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
            )
            answer = f"{refused.status} Refused", "text/xml", text
        if answer is None:
            answers = list(moto(environ, start))
            if environ["REQUEST_METHOD"] == "POST":
                time.sleep(TO_FOLLOW)
            return answers
        status, kind, text = answer
    data = text.encode()
    start(status, [("Content-Type", kind), ("Content-Length", str(len(data)))])
    return [data]


def set_up():
    ec2, elb = client("ec2"), client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = [f"{SETTINGS['region']}{letter}" for letter in "ab"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for n, zone in enumerate(zones)
    ]
    balancer = elb.create_load_balancer(Name="shop", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    found = {}
    for color in ("blue", "green"):
        group = elb.create_target_group(
            Name=f"shop-{color}", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        targets = [target.split(":") for target in SETTINGS[color]]
        elb.register_targets(
            TargetGroupArn=group, Targets=[{"Id": address, "Port": int(port)} for address, port in targets]
        )
        found[color] = group
    groups = [
        {"TargetGroupArn": found["blue"], "Weight": 0},
        {"TargetGroupArn": found["green"], "Weight": 0},
    ]
    forward = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
    nothing = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    found["listener"] = elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=nothing
    )["Listeners"][0]["ListenerArn"]
    found["rule"] = elb.create_rule(
        ListenerArn=found["listener"],
        Priority=10,
        Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
        Actions=forward,
    )["Rules"][0]["RuleArn"]
    arns.update(found)


server = make_server("127.0.0.1", PORT, gate, threaded=True, request_handler=MotoRequestHandler)
threading.Thread(target=set_up, daemon=True).start()
server.serve_forever()
