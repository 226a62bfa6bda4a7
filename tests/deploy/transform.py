"""What SAM makes of template.yaml, on standard output as JSON; runs in the environment of SAM.

python transform.py '{"Stage": "prod", …}' s3://bucket/key TEMPLATE
"""

import json
import sys
from pathlib import Path

import boto3
from samtranslator.parser.parser import Parser  # type: ignore[import-not-found]
from samtranslator.translator.translator import Translator  # type: ignore[import-not-found]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-not-found]

parameters, code, path = sys.argv[1:]
template = yaml_parse(Path(path).read_text())
template["Globals"]["Function"]["CodeUri"] = code  # as `sam deploy` leaves it
session = boto3.Session(region_name="us-east-1")
translator = Translator({}, Parser(), boto_session=session)
json.dump(translator.translate(template, json.loads(parameters)), sys.stdout)
