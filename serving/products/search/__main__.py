"""`python -m serving.products.search`: keeps the search index current. SIGTERM ends it."""

import sys

from common.worker_process import run_worker
from serving.products.search.indexer import checks, work

if __name__ == "__main__":
    sys.exit(run_worker("search", "search", work, checks))
