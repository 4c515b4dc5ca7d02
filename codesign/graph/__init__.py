"""From an ONNX file to an exact integer graph, and its reference execution."""
