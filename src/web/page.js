// Shows what changed without a reload.  Everything works without this file; then the page reloads itself.
'use strict';

(() => {
  const main = document.querySelector('main[data-refresh]');
  if (!main) return;
  const every = Number(main.dataset.refresh) * 1000;

  // What somebody reads with the keyboard or marks with the mouse stays as it is.
  const isInUse = () => main.contains(document.activeElement) && document.activeElement !== main ||
    String(document.getSelection()) !== '';

  const show = (text) => {
    const page = new DOMParser().parseFromString(text, 'text/html');
    const fresh = page.querySelector('main[data-refresh]');
    if (!fresh || fresh.innerHTML === main.innerHTML) return;
    document.title = page.title;
    main.replaceChildren(...fresh.childNodes);
  };

  const refresh = async () => {
    try {
      if (!document.hidden && !isInUse()) {
        const answer = await fetch(location.href, {cache: 'no-store', redirect: 'error'});
        if (answer.ok) show(await answer.text());
        document.body.classList.remove('lost');
      }
    } catch {
      document.body.classList.add('lost');
    }
    setTimeout(refresh, every);
  };

  setTimeout(refresh, every);
})();
