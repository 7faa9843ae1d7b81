"""A real browser for the tests: headless Chromium, driven through WebDriver."""
