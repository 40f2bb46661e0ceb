"""What Schemathesis cannot know: which groups exist, who asks, and how long a test can wait."""

import atexit
import collections
import itertools
import json
import os

import schemathesis

GROUPS = os.environ["DORMOUSE_FUZZ_GROUPS"].split()
turn = itertools.count()
answers = collections.Counter()


@schemathesis.hook
def before_call(context, case, kwargs):
    number = next(turn)
    if "group" in case.path_parameters and number % 3:
        case.path_parameters["group"] = GROUPS[number // 3 % len(GROUPS)]
    # Below `-` are the addresses that have paths of their own in the document.
    path = case.path_parameters.get("path")
    if isinstance(path, str) and path.startswith(("-", "%2D")):
        case.path_parameters["path"] = "x" + path
    # Each request may be held for 25 s, which would be the whole test.
    wait = (case.query or {}).get("wait")
    if str(wait).isdigit():
        case.query["wait"] = min(int(wait), 1)
    # Programs, and people with a browser.
    case.headers["Accept"] = "text/html,*/*;q=0.8" if number % 4 == 0 else "*/*"


@schemathesis.hook
def after_call(context, case, response):
    answers[response.status_code] += 1


@atexit.register
def tell():
    with open(os.environ["DORMOUSE_FUZZ_ANSWERS"], "w") as file:
        json.dump(dict(sorted(answers.items())), file)
