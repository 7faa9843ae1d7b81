import io

TEXT = io.StringIO()
