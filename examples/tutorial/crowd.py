"""Twenty visitors who sign a guestbook at once: python3 crowd.py http://127.0.0.1:8000/guestbook.py"""

import re
import secrets
import sys
import threading
from html import unescape
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import urlopen

VISITORS = 20


def sign(url, number, text, start):
    form = urlencode({"name": f"Visitor {number}", "home": "", "text": text})
    start.wait()  # for the others
    try:
        urlopen(url, form.encode()).close()
    except HTTPError as error:
        print(f"Visitor {number} got an error page: {error.code}")
        error.close()


def read(url):
    """Return the text of all pages: each may have a link to the next one, with rel="next"."""
    text = ""
    while url:
        with urlopen(url) as answer:
            page = answer.read().decode()
        text += page
        link = re.search(r'<a href="([^"]+)" rel="next">', page)
        url = urljoin(url, unescape(link[1])) if link else None
    return text


def crowd(url):
    mark = secrets.token_hex(4)  # tells the entries of this run from those of others
    texts = [f"Entry {number} of {mark}." for number in range(VISITORS)]
    start = threading.Barrier(VISITORS)
    threads = [
        threading.Thread(target=sign, args=(url, number, text, start))
        for number, text in enumerate(texts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        book = read(url)
    except HTTPError as error:
        error.close()
        sys.exit(f"{url}: error page ({error.code}): look into its file")
    found = sum(text in book for text in texts)
    print(f"{VISITORS} visitors signed, {found} of their entries are in the book.")


if __name__ == "__main__":
    for url in sys.argv[1:]:
        crowd(url)
