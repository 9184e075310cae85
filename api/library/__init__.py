"""The writers' library behind its routes: articles, suggestions and the numbers of the knowledge loop."""
