"""Twenty visitors who sign a guestbook at once: python3 crowd.py http://127.0.0.1:8000/guestbook.py"""

import sys
import threading
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

VISITORS = 20


def sign(url, number, start):
    form = urlencode({"name": f"Visitor {number}", "home": "", "text": f"Entry {number}."})
    start.wait()  # for the others
    try:
        urlopen(url, form.encode()).close()
    except HTTPError as error:
        print(f"Visitor {number} got an error page: {error.code}")
        error.close()


def crowd(url):
    start = threading.Barrier(VISITORS)
    threads = [threading.Thread(target=sign, args=(url, n, start)) for n in range(VISITORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with urlopen(url) as answer:
        page = answer.read().decode()
    found = sum(f"Entry {number}." in page for number in range(VISITORS))
    print(f"{VISITORS} visitors signed, {found} of their entries are in the book.")


if __name__ == "__main__":
    for url in sys.argv[1:]:
        crowd(url)
