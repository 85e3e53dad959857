// What `/onair-player.js` gives to pages of others: importing it registers `<onair-player>`.
export * from '@onair/client';
