"""The bundled attacks by kind. Each module has ``attacks()``; all texts are written for this project."""
