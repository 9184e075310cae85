"""The visitor's side behind its routes: articles as pages and nodes, the widget's configuration, what a browser tells."""
