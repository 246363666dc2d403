import type { TopLevelSpec } from 'vega-lite';
import type { Html } from './html.js';

/** What a plot shows: a specification of Vega-Lite. */
export type PlotSpec = TopLevelSpec;

const ink = '#1f2733';
const faint = '#5b6675';

/** What all plots have in common. */
const config = {
  background: 'transparent',
  font: 'system-ui, -apple-system, "Segoe UI", sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: faint,
    titleColor: faint,
    titleFontWeight: 'normal',
    labelFontSize: 11.5,
    titleFontSize: 11.5,
    gridColor: '#e6e9ee',
    domain: false,
    ticks: false,
    labelPadding: 6,
  },
  legend: {
    labelColor: ink,
    labelFontSize: 11.5,
    labelLimit: 300,
    titleColor: faint,
    symbolStrokeWidth: 2,
    symbolOpacity: 1,
  },
  title: { color: ink, fontSize: 12.5, fontWeight: 600, anchor: 'start', offset: 8 },
} as const;

/** Colours of lines, told apart also by those who see no red or green (Okabe and Ito). */
export const lineColours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#555555', '#7a5195'];

/**
 * A Vega-Lite plot as SVG, without a browser.
 *
 * @param label What it shows, for those who do not see it.
 */
export async function plot(spec: TopLevelSpec, label: string): Promise<Html> {
  // Loaded here, so that evaluating without a report does not load them.
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const compiled = compile({ ...spec, config: { ...config, ...spec.config } } as TopLevelSpec).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logLevel: vega.Error });
  const svg = await view.toSVG();
  view.finalize();
  const labelled = label.replace(/[&<>"]/gu, (character) => `&#${character.charCodeAt(0)};`);
  return { html: svg.replace('<svg ', `<svg role="img" aria-label="${labelled}" `) };
}
