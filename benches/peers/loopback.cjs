// For `node --require`: every listener binds to loopback only.
const net = require('net');
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
  const [first, ...rest] = given;
  const callbacks = rest.filter((one) => typeof one === 'function');
  if (first && typeof first === 'object' && first.port !== undefined) given[0] = { ...first, host: '127.0.0.1' };
  else if (typeof first === 'number') given = [{ port: first, host: '127.0.0.1' }, ...callbacks];
  return listen.apply(this, given);
};
