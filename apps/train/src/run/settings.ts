import { UserLlmError } from '@user-llm/tensor';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * A config with some fields replaced.
 *
 * @param settings Such as `seed=3`, `stages.0.budget.minutes=20`, `model.encoder.config.width=64`: fields and places in
 *   lists joined by dots, and a value that is JSON, or else a text.
 * @throws UserLlmError `bad-options` when one has another form or leads nowhere.
 */
export function withSettings(config: unknown, settings: readonly string[]): unknown {
  const copy = structuredClone(config) as Json;
  for (const setting of settings) {
    const at = setting.indexOf('=');
    if (at < 1) throw badSetting(setting, 'path.to.field=value');
    const path = setting.slice(0, at).split('.');
    const last = path.pop()!;
    let place: Json = copy;
    for (const key of path) {
      const inner: Json | undefined = step(place, key, setting);
      if (inner === undefined || inner === null) {
        (place as Record<string, Json>)[key] = {};
        place = (place as Record<string, Json>)[key]!;
      } else place = inner;
    }
    step(place, last, setting);
    (place as Record<string, Json>)[last] = valueOf(setting.slice(at + 1));
  }
  return copy;
}

function step(place: Json, key: string, setting: string): Json | undefined {
  if (typeof place !== 'object' || place === null || key === '__proto__') throw badSetting(setting, 'a path of fields');
  if (!Array.isArray(place)) return place[key];
  if (/^\d+$/.test(key) && Number(key) < place.length) return place[Number(key)];
  throw badSetting(setting, `a place from 0 to ${place.length - 1} in a list`);
}

function valueOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function badSetting(got: string, expected: string): UserLlmError {
  return new UserLlmError('bad-options', { what: '--set', expected, got });
}
