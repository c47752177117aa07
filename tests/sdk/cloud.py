"""The same as `check.py` with the clients of AWS and Cohere; also their own vendors stand behind the gateway.

    python cloud.py --base-url http://127.0.0.1:8080 --key KEY --models openai=NAME,bedrock=NAME,cohere=NAME
"""

import sys

import check
from with_bedrock import WithBedrock
from with_cohere import WithCohere

check.PROVIDERS = (*check.PROVIDERS, "bedrock", "cohere")
check.CLIENTS = {"bedrock": WithBedrock, "cohere": WithCohere}

if __name__ == "__main__":
    sys.exit(check.main())
