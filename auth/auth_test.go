package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

var (
	local  = netip.MustParseAddr("127.0.0.1")
	remote = netip.MustParseAddr("203.0.113.9")
)

const secret = "correct horse battery staple"

func checker(t *testing.T, c Config) *Checker {
	t.Helper()
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPublish(t *testing.T) {
	open := checker(t, Config{})
	signing := checker(t, Config{Secret: secret})
	listing := checker(t, Config{Keys: []Key{{"shop-42", "listed-key-1"}, {"shop-42", "listed-key-2"}, {"shop-42@fr", "listed@key@3"}}})
	both := checker(t, Config{Secret: secret, Keys: []Key{{"wigs", "listed-key-1"}}, AllowLoopback: true})
	signed, err := signing.Sign("shop-42")
	if err != nil {
		t.Fatal(err)
	}

	french, err := signing.Sign("shop-42@fr")
	if err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		what string
		a    *Checker
		key  string
		from netip.Addr
		want string // as Grant has it; empty: denied
		err  *Denied
	}{
		{"nothing configured, this machine", open, "anything", local, "anything", nil},
		{"nothing configured, this machine by IPv6", open, "anything", netip.MustParseAddr("::1"), "anything", nil},
		{"nothing configured, IPv4 in IPv6", open, "anything", netip.MustParseAddr("::ffff:127.0.0.1"), "anything", nil},
		{"nothing configured, elsewhere", open, "anything", remote, "", errSetUp},
		{"nothing configured, address unknown", open, "anything", netip.Addr{}, "", errSetUp},
		{"nothing configured, no key", open, "", local, "", errNoKey},
		{"nothing configured, not a name", open, "a b", local, "", nil},
		{"nothing configured, a rendition", open, "a/720p", local, "a/720p", nil},
		{"nothing configured, a language", open, "a@pt-BR", local, "a@pt-BR", nil},
		{"signed", signing, signed, remote, "shop-42", nil},
		{"signed, this machine", signing, signed, local, "shop-42", nil},
		{"signed, cut short", signing, signed[:len(signed)-1], remote, "", errKey},
		{"signed, longer", signing, signed + "a", remote, "", errKey},
		{"signed, shouted", signing, strings.ToUpper(signed), remote, "", errKey},
		{"signed for another name", signing, "shop-43" + signed[len("shop-42"):], remote, "", errKey},
		{"only the name", signing, "shop-42", remote, "", errKey},
		{"only the signature", signing, signed[len("shop-42"):], remote, "", errKey},
		{"only the name, this machine", signing, "shop-42", local, "", errKey},
		{"signed with nothing configured", open, signed, remote, "", errSetUp},
		{"signed with a list only", listing, signed, remote, "", errKey},
		{"listed", listing, "listed-key-1", remote, "shop-42", nil},
		{"listed, second key", listing, "listed-key-2", remote, "shop-42", nil},
		{"listed, wrong", listing, "listed-key-3", remote, "", errKey},
		{"the listed name is no key", listing, "shop-42", local, "", errKey},
		{"both, listed", both, "listed-key-1", remote, "wigs", nil},
		{"both, signed", both, signed, remote, "shop-42", nil},
		{"loopback allowed, this machine", both, "demo", local, "demo", nil},
		{"loopback allowed, elsewhere", both, "demo", remote, "", errKey},
		{"signed, a rendition", signing, signed + "/720p", remote, "shop-42/720p", nil},
		{"signed, a language", signing, signed + "@pt-BR", remote, "shop-42@pt-BR", nil},
		{"signed, an empty rendition", signing, signed + "/", remote, "", errPart},
		{"signed, two renditions", signing, signed + "/720p/1", remote, "", errPart},
		{"signed, a rendition and a language", signing, signed + "/720p@fr", remote, "", errPart},
		{"signed, a rendition that looks like a language", signing, signed + "/@fr", remote, "", errPart},
		{"signed, the server's own rendition", signing, signed + "/ladder", remote, "", errHouse},
		{"signed, nearly the server's own rendition", signing, signed + "/ladder2", remote, "shop-42/ladder2", nil},
		{"nothing configured, the server's own rendition", open, "a/ladder", local, "", errHouse},
		{"nothing configured, the server's own sound", open, "a/sound", local, "", errHouse},
		{"signed, an empty language", signing, signed + "@", remote, "", errLanguage},
		{"signed, two languages", signing, signed + "@fr@es", remote, "", errKey},
		{"signed, a language with a dot", signing, signed + "@f.r", remote, "", errLanguage},
		{"a language, the name only", signing, "shop-42@fr", remote, "", errKey},
		{"signed for a language", signing, french, remote, "shop-42@fr", nil},
		{"signed for a language, used for the show", signing, "shop-42" + french[len("shop-42@fr"):], remote, "", errKey},
		{"signed for a language, used for another", signing, "shop-42@es" + french[len("shop-42@fr"):], remote, "", errKey},
		{"signed for a language, and one more", signing, french + "@es", remote, "", errKey},
		{"signed for a language, as a rendition", signing, french + "/720p", remote, "", errKey},
		{"listed, a language", listing, "listed-key-1@fr", remote, "shop-42@fr", nil},
		{"listed, a rendition", listing, "listed-key-2/720p", remote, "shop-42/720p", nil},
		{"listed for a language", listing, "listed@key@3", remote, "shop-42@fr", nil},
		{"listed for a language, used for another", listing, "listed@key@3@es", remote, "", errKey},
		{"endless", signing, strings.Repeat("a", 1<<20), remote, "", errKey},
	} {
		g, err := tt.a.Publish(tt.key, tt.from)
		switch {
		case tt.want != "" && (err != nil || g.String() != tt.want):
			t.Errorf("%s: got %q, %v; want %q", tt.what, g, err, tt.want)
		case tt.want == "" && err == nil:
			t.Errorf("%s: let in as %q", tt.what, g)
		case tt.err != nil && !errors.Is(err, tt.err):
			t.Errorf("%s: denied with %q, want %q", tt.what, err, tt.err)
		}
		var d *Denied
		if err != nil && !errors.As(err, &d) {
			t.Errorf("%s: %T is no *Denied", tt.what, err)
		}
	}
}

// A shop's back end makes keys with what its language has; this is what it must come to. The value was
// computed with Python's hmac and base64 modules.
func TestSignatureIsStable(t *testing.T) {
	key, err := checker(t, Config{Secret: secret}).Sign("shop-42")
	if want := "shop-42-sej4qek74cw45i47"; err != nil || key != want {
		t.Errorf("got %q, %v; want %q", key, err, want)
	}
}

func TestSignRefuses(t *testing.T) {
	if key, err := checker(t, Config{}).Sign("shop-42"); err == nil {
		t.Errorf("signed %q without a secret", key)
	}
	if key, err := checker(t, Config{Secret: secret}).Sign("index.m3u8"); err == nil {
		t.Errorf("signed %q", key)
	}
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "shop-42", "A.b_c~d", "-", "x..y", strings.Repeat("n", MaxName)} {
		if err := CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"", ".", "..", ".hidden", "a.", "a/b", "a b", "a%20b", "a?b", "a\x00", "ü", "\xff", "a\n",
		"index.m3u8", "INDEX.M3U8", strings.Repeat("n", MaxName+1),
	} {
		if err := CheckName(name); err == nil {
			t.Errorf("%q passes", name)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want []string // each must be in the error, in a line of its own
	}{
		{Config{}, nil},
		{Config{Secret: secret, Keys: []Key{{"a", "12345678"}}}, nil},
		{Config{Secret: "short"}, []string{"secret has 5"}},
		{Config{Secret: "change me: 16 characters or more"}, []string{"make your own"}},
		{Config{Secret: Secret(strings.Repeat("s", 2000))}, []string{"secret has 2000"}},
		{Config{Keys: []Key{{"", "12345678"}, {"b", "short"}, {"c", "12345678"}, {"d", "1234 5678"}}},
			[]string{"keys[0].name", "keys[1].key has 5", "keys[2].key is the same as that of keys[0]", "keys[3].key has a character"}},
		{Config{Keys: []Key{{"a@fr", "12345678"}, {"a/720p", "12345679"}}}, nil},
		{Config{Keys: []Key{{"a@", "12345678"}, {"a/b/c", "12345679"}}}, []string{"keys[0].name", "keys[1].name"}},
		{Config{Keys: make([]Key, maxKeys+1)}, []string{"keys has 20001 entries"}},
	} {
		err := tt.c.Validate()
		if len(tt.want) == 0 {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%v passes", tt.c)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(tt.want) {
			t.Errorf("got %d errors, want %d: %v", len(lines), len(tt.want), err)
			continue
		}
		for i, want := range tt.want {
			if !strings.Contains(lines[i], want) {
				t.Errorf("got %q, want %q in it", lines[i], want)
			}
		}
	}
}

func TestNothingShowsAKey(t *testing.T) {
	c := Config{Secret: secret, Keys: []Key{{"a", "tell-nobody"}}}
	j, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%s %q", c.Secret, c.Secret), string(j)} {
		if strings.Contains(s, secret) || strings.Contains(s, "tell-nobody") {
			t.Errorf("%s", s)
		}
	}
}

func FuzzPublish(f *testing.F) {
	a, err := New(Config{Secret: secret, Keys: []Key{{"wigs", "listed-key-1"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("listed-key-1")
	f.Add("-")
	f.Add("a--")
	f.Add("listed-key-1/720p")
	f.Add("listed-key-1@pt-BR")
	f.Add("a@@-/@")
	f.Fuzz(func(t *testing.T, key string) {
		g, err := a.Publish(key, remote)
		if err == nil {
			if again, err := ParseGrant(g.String()); err != nil || again != g {
				t.Errorf("%q publishes %q, which is read as %q, %v", key, g, again, err)
			}
			whole, _ := a.Sign(g.Name)
			part, _ := a.Sign(g.String())
			suffix := strings.TrimPrefix(g.String(), g.Name)
			if key != whole+suffix && key != part && key != "listed-key-1"+suffix {
				t.Errorf("%q is let in, and was never signed", key)
			}
		}
	})
}
