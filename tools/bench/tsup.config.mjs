import { library } from '../../tools/build/tsup.mjs';

export default library(['src/index.ts', 'src/cli.ts', 'src/train-step-child.ts', 'src/prepare-data-child.ts']);
