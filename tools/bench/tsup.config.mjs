import { library } from '../../tools/build/tsup.mjs';

export default library([
  'src/index.ts',
  'src/cli.ts',
  'src/train-step-child.ts',
  'src/tune-step-child.ts',
  'src/node-llama-cpp-child.ts',
  'src/prepare-data-child.ts',
]);
