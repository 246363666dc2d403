import type { ControlResult } from '../controls/control-result.js';
import { html, type Html } from './html.js';
import { figure, signed, taskTitle } from './words.js';

/** Whether the user is used: held-out loss with the own user, another one and none, and the gates. */
export function controlsSection(controls: readonly ControlResult[]): Html {
  return html`<section>
    <h2>Is the user used?</h2>
    <p class="note">
      Loss of the true answer per predicted token, in nats, when the model is told of the user, of another user, or of
      nobody. Where the loss does not rise, the model does not read its user.
    </p>
    <table>
      <thead>
        <tr>
          <th>candidate</th>
          <th>task</th>
          <th class="number">questions</th>
          <th>told of</th>
          <th class="number">loss</th>
          <th class="number">above own user</th>
        </tr>
      </thead>
      <tbody>
        ${controls.flatMap(({ candidate, task, questions, conditions }) =>
          conditions.map(
            ({ condition, loss, above }) =>
              html`<tr>
                <th>${candidate}</th>
                <th>${taskTitle(task)}</th>
                <td>${questions}</td>
                <th>${condition}</th>
                <td>${figure(loss.value)}<small>${figure(loss.low)}–${figure(loss.high)}</small></td>
                <td>
                  ${above && html`${signed(above.value)}<small>${signed(above.low)} to ${signed(above.high)}</small>`}
                </td>
              </tr>`,
          ),
        )}
      </tbody>
    </table>
    ${gatesOf(controls)}
  </section>`;
}

function gatesOf(controls: readonly ControlResult[]): Html[] {
  const told = new Map(controls.filter(({ gates }) => gates.length > 0).map((each) => [each.candidate, each.gates]));
  return [...told].map(
    ([candidate, gates]) =>
      html`<p class="note">
        Gates of ${candidate}, tanh: ${gates.map(({ name, value }) => `${name} ${signed(value)}`).join(', ')}.
      </p>`,
  );
}
