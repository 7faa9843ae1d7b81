#!/bin/sh
echo "Content-Type: text/html"
echo "<p>Hello <script>alert(1)</script>"
