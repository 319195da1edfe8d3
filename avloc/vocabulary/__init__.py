"""Words: the classes that pretrained classifiers know, and which of them a label means."""
