/** What PostGraphile 5 uses of Node 22, for Node 20. */
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((kept, broken) => ([resolve, reject] = [kept, broken]));
  return { promise, resolve, reject };
};
