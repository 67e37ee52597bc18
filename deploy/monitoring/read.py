"""Reads a dashboard by the types of Grafana's SDK, and writes it again: what they don't know is gone. read.py < dashboard.json"""

import json
import sys

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

register_default_plugins()
sys.stdout.write(JSONEncoder(sort_keys=True, indent=2).encode(Dashboard.from_json(json.load(sys.stdin))) + "\n")
