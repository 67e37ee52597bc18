import { type Glide, type Transport, wordsOf } from '../driver.js';
import { cutOffOf, refuseIfCutOff } from './time-out.js';

/** GLIDE finds the key of a command that it does not know, asks the primary, and lets nothing wait for longer than its `requestTimeout`. */
export function glide(client: Glide): Transport {
  const { requestTimeout } = client as Glide & { readonly requestTimeout?: number };
  return {
    keyPrefix: '',
    cutOffMs: cutOffOf(requestTimeout),
    send: (command, args, { blockMs }) => {
      refuseIfCutOff(command, blockMs, 'requestTimeout', requestTimeout);
      return client.customCommand(wordsOf(command, args));
    },
  };
}
