"""What SAM makes of a template: a line of JSON for each line of it; runs in the environment of SAM.

In:  [{"Stage": "prod", …}, "s3://bucket/key", "template's text"]
Out: the transformed template
"""

import json
import sys

import boto3
from samtranslator.parser.parser import Parser  # type: ignore[import-not-found]
from samtranslator.translator.translator import Translator  # type: ignore[import-not-found]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-not-found]

session = boto3.Session(region_name="us-east-1")
for line in sys.stdin:
    parameters, code, text = json.loads(line)
    template = yaml_parse(text)
    template["Globals"]["Function"]["CodeUri"] = code  # as `sam deploy` leaves it
    translator = Translator({}, Parser(), boto_session=session)
    print(json.dumps(translator.translate(template, parameters)), flush=True)  # noqa: T201
