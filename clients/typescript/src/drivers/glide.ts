import { type Glide, type Transport, wordsOf } from '../driver.js';
import { cutOffOf, refuseIfCutOff } from './time-out.js';

/**
 * GLIDE finds the key of a command it does not know, calls the primary, and lets no call wait longer than its `requestTimeout`.
 */
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
