/** Severity below which ONNX Runtime writes nothing to stderr: 4 is fatal, since its errors reach the caller as such. */
export const logSeverity = 4;
