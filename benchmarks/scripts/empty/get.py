"""Nothing at all, from a file: `-c pass` loads linecache as well since Python 3.13."""
