"""GET /docs: a page to try the routes. It runs one version of Swagger UI, known by its digest, and a line of ours."""

import base64
import hashlib
import inspect
from typing import Final

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_VERSION: Final = "5.35.0"
_SCRIPT_DIGEST: Final = "sha384-gjRm0bEPMeTmMh5jT2cHccIwCUZSTd8YC+j0d0sXw0MdGEfScduGpSyF3ZSSLkX9"
_STYLE_DIGEST: Final = "sha384-WlYgdmXYOOBWL5apwjDEZwN+U3HmXSSu5R6V5aGxEcf7z+KuRNwBhoxKVN1i3D5I"
# the CDN is the one that FastAPI names, which leaves the version open
_SCRIPT: Final[str] = (
    inspect.signature(get_swagger_ui_html).parameters["swagger_js_url"].default.replace("@5/", f"@{_VERSION}/")
)
_STYLE: Final = _SCRIPT.replace("swagger-ui-bundle.js", "swagger-ui.css")
_START: Final = """
SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", deepLinking: true, presets: [SwaggerUIBundle.presets.apis]});
"""
_PAGE: Final = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>judge-server</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{_STYLE}" integrity="{_STYLE_DIGEST}" crossorigin="anonymous">
</head>
<body>
<div id="page"></div>
<script src="{_SCRIPT}" integrity="{_SCRIPT_DIGEST}" crossorigin="anonymous"></script>
<script>{_START}</script>
</body>
</html>
"""
_START_DIGEST: Final = base64.b64encode(hashlib.sha256(_START.encode()).digest()).decode()
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"script-src {_SCRIPT} 'sha256-{_START_DIGEST}'",
        f"style-src {_STYLE} 'unsafe-inline'",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@router.get("/docs", response_class=HTMLResponse)
async def page() -> HTMLResponse:
    """Every route, to be read and tried."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})
