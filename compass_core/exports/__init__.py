"""What leaves the project in other tools' formats: PEFT, merged weights, vLLM, LLaMA-Factory."""
