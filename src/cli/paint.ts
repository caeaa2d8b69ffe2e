import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colours for people; `plain` where there is no terminal, or it is not to have any. */
export class Paint {
  constructor(private readonly isOn: boolean) {}

  status(status: string): string {
    return this.in(STATUS_STYLE[status] ?? 'reset', status);
  }

  faint(text: string): string {
    return this.in('dim', text);
  }

  bold(text: string): string {
    return this.in('bold', text);
  }

  bad(text: string): string {
    return this.in('red', text);
  }

  private in(style: Style, text: string): string {
    // Whether the stream takes colours was looked at already; Node 20 does not know the option.
    return this.isOn ? styleText(style, text, { validateStream: false }) : text;
  }
}

const STATUS_STYLE: Readonly<Record<string, Style>> = {
  success: 'green',
  error: 'red',
  timeout: 'red',
  cancelled: 'yellow',
  running: 'cyan',
  queued: 'blue',
  up: 'green',
  degraded: 'yellow',
  down: 'red',
  open: 'red',
  'half-open': 'yellow',
  paused: 'yellow',
};
