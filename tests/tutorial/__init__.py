"""The tutorial: its steps are visited, and its pages show what the files of the steps have.

`steps.py` compares pages with files, and writes them; `book.py` is a visitor of any step; `pictures.py`
takes the pictures of the pages.
"""
