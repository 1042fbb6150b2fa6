// Runs before the first paint: sets theme, density and language from the last visit, so that nothing flashes,
// and the one Trusted Types policy that lets scripts of this very origin be workers and service workers.
(function () {
  var root = document.documentElement;
  try {
    var saved = JSON.parse(localStorage.getItem('holdfast.look') || '{}');
    var dark = saved.theme === 'dark' || (saved.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
    root.dataset.theme = dark ? 'dark' : 'light';
    root.dataset.density = saved.density || 'default';
    root.lang = saved.language || (navigator.language.indexOf('ru') === 0 ? 'ru' : 'en');
  } catch (_) {
    root.dataset.theme = 'light';
    root.dataset.density = 'default';
  }
  if (window.trustedTypes && window.trustedTypes.createPolicy) {
    window.trustedTypes.createPolicy('default', {
      createScriptURL: function (url) {
        var parsed = new URL(url, location.href);
        var own = parsed.origin === location.origin;
        if (own && (parsed.pathname === '/sw.js' || parsed.pathname.indexOf('/assets/') === 0)) return url;
        throw new TypeError('a script from ' + parsed.origin + parsed.pathname + ' is not allowed');
      },
    });
  }
})();
