"""Starts MiniStack, with four things that IAM does and it does not.

Each decision about a role is written to a trail (DORMOUSE_TRAIL), each only once: which role, which action, which
resource, and whether it was allowed. SimulatePrincipalPolicy looks at the context and at every resource that it is
asked about. GetAccessKeyInfo also says whose key it is, because AWS's services know that and fargate-sim is one. A call by
Smithy's RPC v2 protocol, which CloudWatch's SDK speaks, is judged like any other.
"""

import json
import os
import threading
from contextvars import ContextVar
from xml.sax.saxutils import escape

import cbor2

# Before anything that takes `enforce` or how actions are named from here.
from ministack.core import iam_actions, iam_evaluator

TRAIL = open(os.environ["DORMOUSE_TRAIL"], "w", buffering=1)
LOCK = threading.Lock()
SEEN = set()

enforce = iam_evaluator.enforce


def enforce_and_record(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
    denied = enforce(access_key_id, iam_action, service, region, resource_arn, service_context)
    # One who could not be authenticated is nobody.
    if not isinstance(denied, iam_evaluator.AuthError):
        caller = iam_evaluator.resolve_caller_identity(access_key_id) or {}
        use = (caller.get("userArn", ""), iam_action, resource_arn, denied is None)
        with LOCK:
            if ":assumed-role/" in use[0] and use not in SEEN:
                SEEN.add(use)
                TRAIL.write(json.dumps(dict(zip(("principal", "action", "resource", "allowed"), use))) + "\n")
    return denied


iam_evaluator.enforce = enforce_and_record

extract_iam_action, extract_resource_arn = iam_actions.extract_iam_action, iam_actions.extract_resource_arn


def is_rpc(path):
    return path.startswith("/service/") and "/operation/" in path


def action_of(service, method, path, headers, body, query_params):
    namespace = iam_actions.SERVICE_TO_IAM_NAMESPACE.get(service)
    if namespace and is_rpc(path):
        return f"{namespace}:{path.rsplit('/', 1)[1]}"
    return extract_iam_action(service, method, path, headers, body, query_params)


def resource_of(service, method, path, headers, body, *more):
    if is_rpc(path):
        body = json.dumps(cbor2.loads(body), default=str).encode()
    return extract_resource_arn(service, method, path, headers, body, *more)


iam_actions.extract_iam_action, iam_actions.extract_resource_arn = action_of, resource_of

from ministack import app  # noqa: E402
from ministack.core.responses import get_account_id, get_region  # noqa: E402
from ministack.services import iam, sts  # noqa: E402

DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny"}


def members(p, name):
    found = []
    while value := iam._p(p, f"{name}.member.{len(found) + 1}"):
        found.append(value)
    return found


def context(p):
    found = {}
    number = 1
    while name := iam._p(p, f"ContextEntries.member.{number}.ContextKeyName"):
        values = members(p, f"ContextEntries.member.{number}.ContextKeyValues")
        found[name.lower()] = values if len(values) > 1 else "".join(values)
        number += 1
    return found


def simulate(p):
    source = iam._p(p, "PolicySourceArn")
    if ":role/" not in source:
        return iam._error(400, "InvalidInput", f"Here it must be a role: {source}", ns="iam")
    role, account = source.rsplit("/", 1)[-1], get_account_id()
    policies = iam_evaluator._gather_role_policies(role, account)
    results = ""
    for action in members(p, "ActionNames"):
        for resource in members(p, "ResourceArns") or ["*"]:
            asked = iam_evaluator.EvalContext(
                principal_arn=source,
                principal_type="AssumedRole",
                principal_account=account,
                action=action,
                resource_arn=resource,
                region=get_region(),
                service_context=context(p),
            )
            decision = DECISIONS.get(iam_evaluator.evaluate(asked, policies).decision, "implicitDeny")
            results += (
                f"<member><EvalActionName>{escape(action)}</EvalActionName>"
                f"<EvalResourceName>{escape(resource)}</EvalResourceName>"
                f"<EvalDecision>{decision}</EvalDecision></member>"
            )
    return iam._xml(
        200,
        "SimulatePrincipalPolicyResponse",
        f"<SimulatePrincipalPolicyResult><EvaluationResults>{results}</EvaluationResults>"
        "<IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>",
        ns="iam",
    )


iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = simulate

KEY = ContextVar("the key that is asked about", default="")
key_account, xml = sts._access_key_account, sts._xml


def key_account_of(key_id):
    KEY.set(key_id)
    return key_account(key_id)


def xml_with_owner(status, root, inner, **more):
    if root == "GetAccessKeyInfoResponse":
        owner = (iam_evaluator.resolve_caller_identity(KEY.get()) or {}).get("userArn", "")
        inner = inner.replace("</Account>", f"</Account><Arn>{escape(owner)}</Arn>")
    return xml(status, root, inner, **more)


sts._access_key_account, sts._xml = key_account_of, xml_with_owner

app.main()
