import { prices, redis } from './prices.js';

// One of many pods that serve a screen of the same user.
console.log(JSON.stringify(await prices('43', ['3', '7'], ['4711', '4712'])));
await redis.quit();
