package media

import (
	"errors"
	"strings"
)

// maxLanguage is the length of the longest language tag; RFC 5646 section 4.4.1 asks for room for 35.
const maxLanguage = 35

// ErrLanguage is returned for what is no language tag.
var ErrLanguage = errors.New("not a language tag such as fr, pt-BR or zh-Hant")

// ParseLanguage returns a language tag in its usual spelling: pt-BR for pt-br, zh-Hant for ZH-hant. It
// checks that the tag is well-formed (RFC 5646 section 2.1), and not that there is such a language. Encoders'
// three-letter codes (ISO 639-2) of languages that have one of two letters become that, as section 2.2.1
// demands: fr for fra.
func ParseLanguage(tag string) (string, error) {
	if len(tag) > maxLanguage {
		return "", ErrLanguage
	}
	subtags := strings.Split(strings.ToLower(tag), "-")
	private := subtags[0] == "x" // behind an x anything of one to eight letters and digits goes
	if n := len(subtags[0]); !private && (n < 2 || n > 8 || strings.ContainsFunc(subtags[0], notLetter)) || private && len(subtags) < 2 {
		return "", ErrLanguage
	}
	if two, ok := shorter[subtags[0]]; ok {
		subtags[0] = two
	}
	single := private
	for i, s := range subtags[1:] {
		if s == "" || len(s) > 8 || strings.ContainsFunc(s, notLetterOrDigit) {
			return "", ErrLanguage
		}
		last := i+2 == len(subtags)
		switch {
		case len(s) == 1 && !private:
			if last {
				return "", ErrLanguage // an extension without a word
			}
			single, private = true, s == "x"
		case single:
		case len(s) == 4 && !strings.ContainsFunc(s, notLetter): // a script
			subtags[i+1] = strings.ToUpper(s[:1]) + s[1:]
		case len(s) == 2: // a region
			subtags[i+1] = strings.ToUpper(s)
		}
	}
	return strings.Join(subtags, "-"), nil
}

func notLetter(r rune) bool { return r < 'a' || r > 'z' }

func notLetterOrDigit(r rune) bool { return notLetter(r) && (r < '0' || r > '9') }

// shorter are the ISO 639-2 codes, terminological and bibliographic, of the languages in names.
var shorter = map[string]string{
	"ara": "ar", "ben": "bn", "bul": "bg", "cat": "ca", "ces": "cs", "cze": "cs", "zho": "zh", "chi": "zh",
	"dan": "da", "deu": "de", "ger": "de", "ell": "el", "gre": "el", "eng": "en", "spa": "es", "est": "et",
	"fas": "fa", "per": "fa", "fin": "fi", "fra": "fr", "fre": "fr", "heb": "he", "hin": "hi", "hrv": "hr",
	"hun": "hu", "ind": "id", "ita": "it", "jpn": "ja", "kaz": "kk", "kor": "ko", "lit": "lt", "lav": "lv",
	"msa": "ms", "may": "ms", "nld": "nl", "dut": "nl", "nor": "no", "pol": "pl", "por": "pt", "ron": "ro",
	"rum": "ro", "rus": "ru", "slk": "sk", "slo": "sk", "slv": "sl", "srp": "sr", "swe": "sv", "swa": "sw",
	"tha": "th", "tur": "tr", "ukr": "uk", "urd": "ur", "uzb": "uz", "vie": "vi",
}

// names are what languages that shows are held in call themselves.
var names = map[string]string{
	"ar": "العربية", "bg": "Български", "bn": "বাংলা", "ca": "Català", "cs": "Čeština", "da": "Dansk",
	"de": "Deutsch", "el": "Ελληνικά", "en": "English", "es": "Español", "et": "Eesti", "fa": "فارسی",
	"fi": "Suomi", "fil": "Filipino", "fr": "Français", "he": "עברית", "hi": "हिन्दी", "hr": "Hrvatski",
	"hu": "Magyar", "id": "Bahasa Indonesia", "it": "Italiano", "ja": "日本語", "kk": "Қазақ тілі", "ko": "한국어",
	"lt": "Lietuvių", "lv": "Latviešu", "ms": "Bahasa Melayu", "nl": "Nederlands", "no": "Norsk", "pl": "Polski",
	"pt": "Português", "pt-BR": "Português (Brasil)", "ro": "Română", "ru": "Русский", "sk": "Slovenčina",
	"sl": "Slovenščina", "sr": "Српски", "sv": "Svenska", "sw": "Kiswahili", "th": "ไทย", "tr": "Türkçe",
	"uk": "Українська", "ur": "اردو", "uz": "Oʻzbekcha", "vi": "Tiếng Việt", "yue": "粵語", "zh": "中文",
	"zh-Hans": "简体中文", "zh-Hant": "繁體中文",
}

// LanguageName returns what people who speak a language call it, with the rest of the tag in brackets if
// that says more ("Español (MX)"). For languages that it does not know it returns the tag.
func LanguageName(tag string) string {
	if name, ok := names[tag]; ok {
		return name
	}
	for base := tag; ; {
		i := strings.LastIndexByte(base, '-')
		if i < 0 {
			return tag
		}
		base = base[:i]
		if name, ok := names[base]; ok {
			return name + " (" + strings.ReplaceAll(tag[i+1:], "-", " ") + ")"
		}
	}
}
