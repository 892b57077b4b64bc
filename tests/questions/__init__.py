"""The exam questions of tests/data/questions.yaml, put to the calculator by topic."""
