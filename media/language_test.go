package media

import (
	"strings"
	"testing"
)

func TestParseLanguage(t *testing.T) {
	for tag, want := range map[string]string{
		"fr": "fr", "FR": "fr", "fra": "fr", "fre": "fr", "pt-br": "pt-BR", "por-BR": "pt-BR", "zh-hant": "zh-Hant",
		"ZH-HANS-cn": "zh-Hans-CN", "es-419": "es-419", "yue": "yue", "x-house": "x-house", "de-1996": "de-1996",
		"en-u-nu-LATN": "en-u-nu-latn", "de-x-ab-cd": "de-x-ab-cd", "de-x-a": "de-x-a", "sl-rozaj-biske": "sl-rozaj-biske",
	} {
		if got, err := ParseLanguage(tag); err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", tag, got, err, want)
		}
	}
	for _, tag := range []string{
		"", "f", "french_", "fr_FR", "fr-", "-fr", "fr--FR", "f1", "x", "fr-x", "fr-u", "fr-toolongword", "fr FR", "fr-é",
		"frenchlanguage", "fr\n", "12", strings.Repeat("fr-aa", 9),
	} {
		if got, err := ParseLanguage(tag); err == nil {
			t.Errorf("%q is a language: %q", tag, got)
		}
	}
}

func TestLanguageName(t *testing.T) {
	for tag, want := range map[string]string{
		"fr": "Français", "pt-BR": "Português (Brasil)", "es-MX": "Español (MX)", "zh-Hant-HK": "繁體中文 (HK)",
		"de-u-nu-latn": "Deutsch (u nu latn)", "qaa": "qaa", "qaa-DE": "qaa-DE",
	} {
		if got := LanguageName(tag); got != want {
			t.Errorf("%q is called %q, want %q", tag, got, want)
		}
	}
	for three, two := range shorter {
		if names[two] == "" {
			t.Errorf("%s becomes %s, which has no name", three, two)
		}
	}
	for tag := range names {
		if got, err := ParseLanguage(tag); err != nil || got != tag {
			t.Errorf("%q is spelt %q, %v", tag, got, err)
		}
	}
}

func FuzzParseLanguage(f *testing.F) {
	for _, tag := range []string{"fr", "pt-BR", "zh-Hant-HK", "x-a", "de-x-a-b", "en-u-nu-latn", "a-", "-"} {
		f.Add(tag)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		once, err := ParseLanguage(tag)
		if err != nil {
			return
		}
		if twice, err := ParseLanguage(once); err != nil || twice != once {
			t.Errorf("%q is spelt %q, and that %q, %v", tag, once, twice, err)
		}
		if strings.ContainsAny(once, "\"\n,") || len(once) > maxLanguage {
			t.Errorf("%q comes out as %q", tag, once)
		}
		LanguageName(once)
	})
}
