import { fromScratch } from './from-scratch.js';
import { realLlm } from './real-llm.js';
import type { Recipe } from './recipe.js';

/** The recipes there are, by name. */
export const recipes = { 'from-scratch': fromScratch, 'real-llm': realLlm } as const satisfies Readonly<
  Record<string, Recipe>
>;

/** Name of a recipe. */
export type RecipeName = keyof typeof recipes;

/** All names. */
export const recipeNames = Object.keys(recipes) as readonly RecipeName[] as [RecipeName, ...RecipeName[]];
