package e2e

import (
	"testing"

	"pushcart/e2e/harness"
)

// cardScript puts cues of its own on the page's card, and answers with what became of them.
const cardScript = `(async () => {
	const { showCards } = await import(document.querySelector('#show').dataset.assets + 'dist/card.js');
	const cues = Object.assign(new EventTarget(), {
		locale: 'ar', active: [], date: 1000,
		offer: (p) => ({ amount: 3999, list: 5999, currency: 'EUR', stock: p.stock }),
	});
	const host = document.createElement('div');
	document.body.append(host);
	const end = showCards(cues, host, { locale: 'ar' });
	const tell = (type, cue) => cues.dispatchEvent(Object.assign(new Event(type), { detail: { cue } }));
	const product = (id, more) => ({ id, kind: 'product', slot: 'main', rev: 1, content: { products: [{ id, title: id, url: 'https://market.example/' + id, ...more }] } });
	const root = host.shadowRoot;
	const out = { hiddenAtFirst: host.hidden, dir: host.dir };

	tell('enter', product('<b onclick="x()">bold</b>', { url: 'javascript:alert(1)', image: 'data:image/png;base64,AA', description: '<script>x()</` + `script>' }));
	out.title = root.querySelector('.title').textContent;
	out.elements = root.querySelectorAll('b, script, img, a').length; // nothing of the text, and no such address

	tell('enter', { id: 'plain', kind: 'product', slot: 'main', rev: 1, content: { products: [{ id: 'plain', title: 'plain' }] } });
	out.bare = root.querySelectorAll('img, a').length; // it has neither a picture nor an address
	out.bareTitle = root.querySelector('button .title')?.textContent ?? '';

	const one = product('one');
	tell('enter', one);
	root.querySelector('a').focus();
	tell('exit', one);
	tell('enter', product('two'));
	out.focused = root.activeElement?.href;

	let chosen = null;
	host.addEventListener('select', (e) => { e.preventDefault(); chosen = e.detail.product.id; });
	const click = new MouseEvent('click', { bubbles: true, cancelable: true });
	out.stopped = !root.querySelector('a').dispatchEvent(click);
	out.chosen = chosen;

	tell('enter', { id: 'c', kind: 'countdown', slot: 'side', rev: 1, content: { text: 'Soon', until: new Date(66_000).toISOString() } });
	out.time = root.querySelector('.time').textContent;
	out.live = root.querySelector('[part~=main]').getAttribute('aria-live');
	tell('enter', { id: 'h', kind: 'hide', slot: 'main', rev: 1, content: {} });
	out.afterHide = root.querySelectorAll('.product').length;
	tell('exit', { id: 'c', slot: 'side' });
	out.hiddenAtLast = host.hidden;
	end();
	return out;
})()`

// The card is safe with whatever a cue says, and keeps the focus.
func TestCard(t *testing.T) {
	together(t)
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	page := b.Open(t, s.PageURL("shop", ""), harness.PageOptions{})
	type outcome struct {
		HiddenAtFirst, HiddenAtLast, Stopped    bool
		Dir, Title, Focused, Chosen, Time, Live string
		Elements, AfterHide, Bare               int
		BareTitle                               string
	}
	var got outcome
	page.Evaluate(cardScript, &got)
	want := outcome{
		HiddenAtFirst: true, HiddenAtLast: true, Stopped: true,
		Dir: "rtl", Title: `<b onclick="x()">bold</b>`, Focused: "https://market.example/two", Chosen: "two", Time: "1:05", Live: "polite", BareTitle: "plain",
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
