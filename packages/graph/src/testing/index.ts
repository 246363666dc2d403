export { exampleCases, floatInputs, type ExampleCase } from './examples.js';
export { gradientCase, gradientError, type GradientCase } from './gradient-check.js';
