"""The OpenAPI document, made of the declarations that validate, document and render.

``document.document(resources)`` builds it; ``routes.api`` serves it and a readable page of it.
Nothing here is imported before the document is asked for.
"""
