"""A real Chromium, driven without pauses: every step waits for a condition on the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import JavascriptException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE_S = 60
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1440,900",
)  # fmt: skip


class Page:
    """The desk's page in a browser of its own."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for a condition; `what` is said when it does not come."""

        def holds(_: Any) -> Any:
            try:
                return condition()
            except (StaleElementReferenceException, JavascriptException, IndexError):
                return False

        return WebDriverWait(self.driver, PATIENCE_S, poll_frequency=0.1).until(holds, what)

    def find(self, css: str) -> list[WebElement]:
        return list(self.driver.find_elements(By.CSS_SELECTOR, css))

    def one(self, css: str) -> WebElement:
        element: WebElement = self.until(lambda: self.find(css)[0], f"nothing on the page is {css}")
        return element

    def text(self, css: str) -> str:
        return str(self.driver.execute_script(
            "const one = document.querySelector(arguments[0]); return one ? one.innerText : ''", css
        ))  # fmt: skip

    def says(self, css: str, words: str) -> None:
        self.until(
            lambda: words.lower() in self.text(css).lower(), f"{css} never said '{words}': {self.text(css)[:300]}"
        )

    def click(self, css: str) -> None:
        """By script, so that a row redrawn under the pointer is still hit."""
        self.until(
            lambda: self.driver.execute_script(
                "const one = document.querySelector(arguments[0]);"
                "if (!one || one.disabled) return false; one.click(); return true", css
            ),
            f"{css} cannot be clicked",
        )  # fmt: skip

    def type(self, css: str, text: str) -> None:
        field = self.one(css)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text, Keys.TAB)

    def complaints(self) -> list[str]:
        """What the browser's console holds against the page."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@contextmanager
def page(url: str) -> Iterator[Page]:
    options = webdriver.ChromeOptions()
    for flag in _FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    try:
        driver.get(url)
        yield Page(driver)
    finally:
        driver.quit()


browser = pytest.mark.browser
