import threading

LOCAL = threading.local()
