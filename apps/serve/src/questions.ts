import type { Catalogue, History } from '@user-llm/plugin';
import { favouriteCategoryTask, nextItemTask } from '@user-llm/tasks';

/**
 * Questions in the words of the built-in tasks, which models are tuned on.
 *
 * @param item What an item is called, such as `movie`.
 * @param category What a category is called, such as `genre`.
 */
export function taskQuestions(item: string, category: string): readonly string[] {
  const event = { user: '', item: '', time: 0 };
  const history: History = { user: '', events: [event, event] };
  const catalogue: Catalogue = new Map([['', { item: '', categories: [''] }]]);
  const tasks = [
    nextItemTask({ noun: item }),
    favouriteCategoryTask({ noun: category }),
    favouriteCategoryTask({ noun: category, over: 'future' }),
  ];
  return tasks.flatMap((task) => task.example({ history, position: 1 }, catalogue)?.instruction ?? []);
}
