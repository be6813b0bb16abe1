"""What the VPN's FreeRADIUS runs for each sign-in, as privacyIDEA's plug-in for it does: one request that waits until the phone has answered.

Arguments: the port of privacyIDEA. FreeRADIUS gives the request's attributes in the environment, as quoted strings. Ends with 0 to let in.
"""

from __future__ import annotations

import json
import os
import sys
from http.client import HTTPConnection
from urllib.parse import urlencode


def main(port: int) -> int:
    """0 when privacyIDEA says that the person may come in, else 1."""
    name, password, gateway = (os.environ[key].strip('"') for key in ("USER_NAME", "USER_PASSWORD", "NAS_IP_ADDRESS"))
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"User-Agent": "FreeRADIUS", "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/validate/check", urlencode({"user": name, "pass": password, "client": gateway}), headers)
    answer = json.loads(connection.getresponse().read())
    return 0 if answer["result"].get("value") else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
