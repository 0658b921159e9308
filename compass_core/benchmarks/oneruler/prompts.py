"""What the long-context tasks say, in OneRuler's 26 languages.

A language has: read, needle, ask one key, ask two keys, list all or say none, the word for none,
the form of the answer, here is a list of words, which ten are most frequent; then its nouns.
"""

from dataclasses import dataclass

from compass_core.errors import InputError

FIELDS = 10


@dataclass(frozen=True)
class Prompts:
    """Texts of one language. `needle` has {key} and {value}; `one` {a}; `two` {a} and {b}."""

    read: str
    needle: str
    one: str
    two: str
    all_or_none: str
    none: str
    form: str
    words: str
    ten: str
    nouns: tuple[str, ...]


TEXT = """
en
Read the following text and remember what it says. A question comes after it.
The secret number of "{key}" is {value}.
Which secret numbers of "{a}" does the text give?
Which secret numbers of "{a}" and of "{b}" does the text give?
List all of them. If there is no such number, answer "none".
none
Answer in this form:
Here is a numbered list of words. Some of them occur more often than others.
Which 10 words occur most often in the list?
apple / bridge / candle / garden / river / window / mountain / letter / horse / kitchen

de
Lies den folgenden Text und merke dir, was darin steht. Danach kommt eine Frage.
Die geheime Zahl von „{key}“ ist {value}.
Welche geheimen Zahlen von „{a}“ nennt der Text?
Welche geheimen Zahlen von „{a}“ und von „{b}“ nennt der Text?
Nenne alle. Wenn es keine solche Zahl gibt, antworte „keine“.
keine
Antworte in dieser Form:
Hier ist eine nummerierte Liste von Wörtern. Manche kommen öfter vor als andere.
Welche 10 Wörter kommen in der Liste am häufigsten vor?
Apfel / Brücke / Kerze / Garten / Fluss / Fenster / Berg / Brief / Pferd / Küche

fr
Lisez le texte suivant et retenez ce qu'il dit. Une question vient après.
Le nombre secret de « {key} » est {value}.
Quels nombres secrets de « {a} » le texte donne-t-il ?
Quels nombres secrets de « {a} » et de « {b} » le texte donne-t-il ?
Donnez-les tous. S'il n'y en a pas, répondez « aucun ».
aucun
Répondez sous cette forme :
Voici une liste numérotée de mots. Certains reviennent plus souvent que d'autres.
Quels sont les 10 mots les plus fréquents de la liste ?
pomme / pont / bougie / jardin / rivière / fenêtre / montagne / lettre / cheval / cuisine

es
Lee el siguiente texto y recuerda lo que dice. Después viene una pregunta.
El número secreto de «{key}» es {value}.
¿Qué números secretos de «{a}» da el texto?
¿Qué números secretos de «{a}» y de «{b}» da el texto?
Da todos. Si no hay ninguno, responde «ninguno».
ninguno
Responde de esta forma:
Esta es una lista numerada de palabras. Algunas aparecen más veces que otras.
¿Cuáles son las 10 palabras más frecuentes de la lista?
manzana / puente / vela / jardín / río / ventana / montaña / carta / caballo / cocina

pt
Leia o texto seguinte e lembre-se do que ele diz. Depois vem uma pergunta.
O número secreto de «{key}» é {value}.
Que números secretos de «{a}» o texto dá?
Que números secretos de «{a}» e de «{b}» o texto dá?
Diga todos. Se não houver nenhum, responda «nenhum».
nenhum
Responda desta forma:
Esta é uma lista numerada de palavras. Algumas aparecem mais vezes do que outras.
Quais são as 10 palavras mais frequentes da lista?
maçã / ponte / vela / jardim / rio / janela / montanha / carta / cavalo / cozinha

it
Leggi il testo seguente e ricorda ciò che dice. Dopo c'è una domanda.
Il numero segreto di «{key}» è {value}.
Quali numeri segreti di «{a}» dà il testo?
Quali numeri segreti di «{a}» e di «{b}» dà il testo?
Elencali tutti. Se non ce n'è nessuno, rispondi «nessuno».
nessuno
Rispondi in questa forma:
Ecco un elenco numerato di parole. Alcune compaiono più spesso di altre.
Quali sono le 10 parole più frequenti dell'elenco?
mela / ponte / candela / giardino / fiume / finestra / montagna / lettera / cavallo / cucina

nl
Lees de volgende tekst en onthoud wat erin staat. Daarna komt een vraag.
Het geheime getal van "{key}" is {value}.
Welke geheime getallen van "{a}" noemt de tekst?
Welke geheime getallen van "{a}" en van "{b}" noemt de tekst?
Noem ze allemaal. Als er geen zijn, antwoord dan "geen".
geen
Antwoord in deze vorm:
Hier is een genummerde lijst van woorden. Sommige komen vaker voor dan andere.
Welke 10 woorden komen het vaakst voor in de lijst?
appel / brug / kaars / tuin / rivier / venster / berg / brief / paard / keuken

da
Læs den følgende tekst, og husk, hvad der står. Bagefter kommer et spørgsmål.
Det hemmelige tal for "{key}" er {value}.
Hvilke hemmelige tal for "{a}" nævner teksten?
Hvilke hemmelige tal for "{a}" og for "{b}" nævner teksten?
Nævn dem alle. Hvis der ikke er nogen, så svar "ingen".
ingen
Svar på denne form:
Her er en nummereret liste over ord. Nogle forekommer oftere end andre.
Hvilke 10 ord forekommer oftest på listen?
æble / bro / lys / have / flod / vindue / bjerg / brev / hest / køkken

sv
Läs följande text och kom ihåg vad som står i den. Efteråt kommer en fråga.
Det hemliga talet för "{key}" är {value}.
Vilka hemliga tal för "{a}" nämner texten?
Vilka hemliga tal för "{a}" och för "{b}" nämner texten?
Nämn alla. Om det inte finns några, svara "inga".
inga
Svara i denna form:
Här är en numrerad lista över ord. Några förekommer oftare än andra.
Vilka 10 ord förekommer oftast i listan?
äpple / bro / ljus / trädgård / flod / fönster / berg / brev / häst / kök

no
Les teksten nedenfor og husk hva som står i den. Etterpå kommer et spørsmål.
Det hemmelige tallet for «{key}» er {value}.
Hvilke hemmelige tall for «{a}» nevner teksten?
Hvilke hemmelige tall for «{a}» og for «{b}» nevner teksten?
Nevn alle. Hvis det ikke finnes noen, svar «ingen».
ingen
Svar på denne formen:
Her er en nummerert liste over ord. Noen forekommer oftere enn andre.
Hvilke 10 ord forekommer oftest i listen?
eple / bro / lys / hage / elv / vindu / fjell / brev / hest / kjøkken

fi
Lue seuraava teksti ja muista, mitä siinä sanotaan. Sen jälkeen tulee kysymys.
Sanan "{key}" salainen luku on {value}.
Mitkä sanan "{a}" salaiset luvut tekstissä mainitaan?
Mitkä sanojen "{a}" ja "{b}" salaiset luvut tekstissä mainitaan?
Luettele kaikki. Jos sellaista lukua ei ole, vastaa "ei mikään".
ei mikään
Vastaa tässä muodossa:
Tässä on numeroitu luettelo sanoista. Jotkin niistä esiintyvät useammin kuin toiset.
Mitkä 10 sanaa esiintyvät luettelossa useimmin?
omena / silta / kynttilä / puutarha / joki / ikkuna / vuori / kirje / hevonen / keittiö

pl
Przeczytaj poniższy tekst i zapamiętaj, co w nim jest. Potem będzie pytanie.
Tajna liczba dla „{key}” to {value}.
Jakie tajne liczby dla „{a}” podaje tekst?
Jakie tajne liczby dla „{a}” i dla „{b}” podaje tekst?
Podaj wszystkie. Jeśli nie ma takiej liczby, odpowiedz „brak”.
brak
Odpowiedz w tej formie:
Oto ponumerowana lista słów. Niektóre występują częściej niż inne.
Które 10 słów występuje na liście najczęściej?
jabłko / most / świeca / ogród / rzeka / okno / góra / list / koń / kuchnia

cs
Přečtěte si následující text a zapamatujte si, co v něm je. Potom přijde otázka.
Tajné číslo pro „{key}“ je {value}.
Jaká tajná čísla pro „{a}“ text uvádí?
Jaká tajná čísla pro „{a}“ a pro „{b}“ text uvádí?
Uveďte všechna. Pokud žádné takové číslo není, odpovězte „žádné“.
žádné
Odpovězte v této podobě:
Zde je očíslovaný seznam slov. Některá se vyskytují častěji než jiná.
Kterých 10 slov se v seznamu vyskytuje nejčastěji?
jablko / most / svíčka / zahrada / řeka / okno / hora / dopis / kůň / kuchyně

hu
Olvasd el a következő szöveget, és jegyezd meg, mi áll benne. Utána egy kérdés jön.
A(z) „{key}” titkos száma {value}.
Milyen titkos számait adja meg a szöveg ennek: „{a}”?
Milyen titkos számait adja meg a szöveg ezeknek: „{a}” és „{b}”?
Sorold fel mindet. Ha nincs ilyen szám, azt válaszold: „nincs”.
nincs
Ebben a formában válaszolj:
Itt egy számozott szólista. Egyes szavak gyakrabban fordulnak elő, mint mások.
Melyik 10 szó fordul elő leggyakrabban a listában?
alma / híd / gyertya / kert / folyó / ablak / hegy / levél / ló / konyha

ru
Прочитайте следующий текст и запомните, что в нём сказано. После него будет вопрос.
Секретное число для «{key}» — {value}.
Какие секретные числа для «{a}» названы в тексте?
Какие секретные числа для «{a}» и для «{b}» названы в тексте?
Перечислите все. Если такого числа нет, ответьте «нет».
нет
Ответьте в такой форме:
Вот пронумерованный список слов. Некоторые встречаются чаще других.
Какие 10 слов встречаются в списке чаще всего?
яблоко / мост / свеча / сад / река / окно / гора / письмо / лошадь / кухня

uk
Прочитайте наведений текст і запам'ятайте, що в ньому сказано. Після нього буде запитання.
Таємне число для «{key}» — {value}.
Які таємні числа для «{a}» названо в тексті?
Які таємні числа для «{a}» і для «{b}» названо в тексті?
Назвіть усі. Якщо такого числа немає, дайте відповідь «немає».
немає
Дайте відповідь у такій формі:
Ось пронумерований список слів. Деякі трапляються частіше за інші.
Які 10 слів трапляються у списку найчастіше?
яблуко / міст / свічка / сад / річка / вікно / гора / лист / кінь / кухня

sr
Прочитајте следећи текст и запамтите шта у њему пише. После њега долази питање.
Тајни број за „{key}“ је {value}.
Које тајне бројеве за „{a}“ наводи текст?
Које тајне бројеве за „{a}“ и за „{b}“ наводи текст?
Наведите све. Ако таквог броја нема, одговорите „нема“.
нема
Одговорите у овом облику:
Ево нумерисаног списка речи. Неке се јављају чешће од других.
Којих 10 речи се најчешће јавља у списку?
јабука / мост / свећа / башта / река / прозор / планина / писмо / коњ / кухиња

sw
Soma maandishi yafuatayo na ukumbuke yanayosema. Swali litafuata.
Namba ya siri ya "{key}" ni {value}.
Maandishi yanataja namba gani za siri za "{a}"?
Maandishi yanataja namba gani za siri za "{a}" na za "{b}"?
Zitaje zote. Kama hakuna namba kama hiyo, jibu "hakuna".
hakuna
Jibu kwa namna hii:
Hii ni orodha ya maneno yenye namba. Baadhi yanajirudia zaidi kuliko mengine.
Ni maneno gani 10 yanayojirudia zaidi katika orodha?
tufaha / daraja / mshumaa / bustani / mto / dirisha / mlima / barua / farasi / jiko

hi
नीचे दिया गया पाठ पढ़िए और याद रखिए कि उसमें क्या लिखा है। उसके बाद एक प्रश्न है।
"{key}" की गुप्त संख्या {value} है।
पाठ में "{a}" की कौन-सी गुप्त संख्याएँ दी गई हैं?
पाठ में "{a}" और "{b}" की कौन-सी गुप्त संख्याएँ दी गई हैं?
सभी बताइए। अगर ऐसी कोई संख्या नहीं है, तो "कोई नहीं" लिखिए।
कोई नहीं
इस रूप में उत्तर दीजिए:
यह शब्दों की क्रमांकित सूची है। कुछ शब्द दूसरों से अधिक बार आते हैं।
सूची में कौन-से 10 शब्द सबसे अधिक बार आते हैं?
सेब / पुल / मोमबत्ती / बगीचा / नदी / खिड़की / पहाड़ / पत्र / घोड़ा / रसोई

ta
பின்வரும் உரையைப் படித்து, அதில் உள்ளதை நினைவில் வையுங்கள். பிறகு ஒரு கேள்வி வரும்.
"{key}" என்பதன் இரகசிய எண் {value}.
"{a}" என்பதன் எந்த இரகசிய எண்கள் உரையில் உள்ளன?
"{a}", "{b}" என்பவற்றின் எந்த இரகசிய எண்கள் உரையில் உள்ளன?
எல்லாவற்றையும் எழுதுங்கள். அப்படி எண் இல்லை என்றால் "எதுவுமில்லை" என்று பதிலளியுங்கள்.
எதுவுமில்லை
இந்த வடிவில் பதிலளியுங்கள்:
இது எண்ணிடப்பட்ட சொற்களின் பட்டியல். சில சொற்கள் மற்றவற்றைவிட அதிகமாக வருகின்றன.
பட்டியலில் அதிகமாக வரும் 10 சொற்கள் எவை?
ஆப்பிள் / பாலம் / மெழுகுவர்த்தி / தோட்டம் / ஆறு / சன்னல் / மலை / கடிதம் / குதிரை / சமையலறை

fa
متن زیر را بخوانید و به خاطر بسپارید که چه می‌گوید. پس از آن یک پرسش می‌آید.
عدد مخفی «{key}» برابر {value} است.
متن کدام عددهای مخفی «{a}» را می‌گوید؟
متن کدام عددهای مخفی «{a}» و «{b}» را می‌گوید؟
همه را بنویسید. اگر چنین عددی نیست، پاسخ دهید «هیچ‌کدام».
هیچ‌کدام
به این شکل پاسخ دهید:
این فهرستی شماره‌دار از واژه‌هاست. بعضی بیشتر از بقیه تکرار شده‌اند.
کدام ۱۰ واژه بیشتر از همه در فهرست آمده‌اند؟
سیب / پل / شمع / باغ / رودخانه / پنجره / کوه / نامه / اسب / آشپزخانه

vi
Hãy đọc văn bản sau và ghi nhớ nội dung. Sau đó sẽ có một câu hỏi.
Số bí mật của "{key}" là {value}.
Văn bản nêu những số bí mật nào của "{a}"?
Văn bản nêu những số bí mật nào của "{a}" và của "{b}"?
Hãy liệt kê tất cả. Nếu không có số nào như vậy, hãy trả lời "không có".
không có
Hãy trả lời theo dạng này:
Đây là một danh sách từ được đánh số. Một số từ xuất hiện nhiều hơn những từ khác.
10 từ nào xuất hiện nhiều nhất trong danh sách?
táo / cầu / nến / vườn / sông / cửa sổ / núi / thư / ngựa / bếp

zh
请阅读下面的文字并记住内容,之后会有一个问题。
“{key}”的秘密数字是{value}。
文中给出了“{a}”的哪些秘密数字?
文中给出了“{a}”和“{b}”的哪些秘密数字?
请全部列出。如果没有这样的数字,请回答“无”。
无
请按以下形式回答:
下面是一个带编号的词语列表,有些词比其他词出现得更多。
列表中出现次数最多的10个词是哪些?
苹果 / 桥梁 / 蜡烛 / 花园 / 河流 / 窗户 / 高山 / 书信 / 马匹 / 厨房

ja
次の文章を読んで内容を覚えてください。そのあとに質問があります。
「{key}」の秘密の番号は{value}です。
文章には「{a}」のどの秘密の番号が書かれていますか。
文章には「{a}」と「{b}」のどの秘密の番号が書かれていますか。
すべて答えてください。そのような番号がなければ「なし」と答えてください。
なし
次の形で答えてください。
これは番号付きの単語リストです。ほかより多く出てくる単語があります。
リストで最も多く出てくる10個の単語はどれですか。
りんご / 橋 / ろうそく / 庭 / 川 / 窓 / 山 / 手紙 / 馬 / 台所

ko
다음 글을 읽고 내용을 기억하세요. 그 뒤에 질문이 나옵니다.
"{key}"의 비밀 번호는 {value}입니다.
글에 나온 "{a}"의 비밀 번호는 무엇입니까?
글에 나온 "{a}"와(과) "{b}"의 비밀 번호는 무엇입니까?
모두 쓰세요. 그런 번호가 없으면 "없음"이라고 답하세요.
없음
다음 형식으로 답하세요.
다음은 번호가 매겨진 단어 목록입니다. 어떤 단어는 다른 단어보다 더 자주 나옵니다.
목록에서 가장 자주 나오는 단어 10개는 무엇입니까?
사과 / 다리 / 촛불 / 정원 / 강물 / 창문 / 산봉우리 / 편지 / 망아지 / 부엌

st
Bala temana e latelang mme o hopole seo e se buang. Potso e tla ka morao ho yona.
Nomoro ya lekunutu ya "{key}" ke {value}.
Temana e fana ka dinomoro dife tsa lekunutu tsa "{a}"?
Temana e fana ka dinomoro dife tsa lekunutu tsa "{a}" le tsa "{b}"?
Di ngole kaofela. Haeba ha ho nomoro e jwalo, araba "ha e yo".
ha e yo
Araba ka sebopeho sena:
Lena ke lenane la mantswe a nang le dinomoro. A mang a hlaha hangata ho feta a mang.
Ke mantswe afe a 10 a hlahang hangata ho feta lenaneng?
apole / borokgo / kerese / serapa / noka / fensetere / thaba / lengolo / pere / kitjhene
"""


def _parse() -> dict[str, Prompts]:
    found = {}
    for block in TEXT.strip().split("\n\n"):
        tag, *lines = block.splitlines()
        if len(lines) != FIELDS:
            raise ValueError(f"{tag}: {len(lines)} lines, {FIELDS} are what a language has")
        read, needle, one, two, all_or_none, none, form, words, ten, nouns = lines
        split = tuple(part.strip() for part in nouns.split("/"))
        found[tag] = Prompts(read, needle, one, two, all_or_none, none, form, words, ten, split)
    return found


PROMPTS = _parse()
UNSPACED = ("zh", "ja")


def prompts_tag(language: str) -> str:
    """How OneRuler calls a language (BCP-47): without region, both written Norwegians `no`."""
    tag = language.split("-")[0]
    return {"nb": "no", "nn": "no"}.get(tag, tag)


def prompts_of(language: str) -> Prompts:
    """Texts of a language (BCP-47). Raises InputError for a language that has none."""
    tag = prompts_tag(language)
    if tag not in PROMPTS:
        raise InputError(
            f"oneruler: no prompts in {language}; there are: {', '.join(sorted(PROMPTS))}. "
            "Published rows (index, input, outputs, length) work in any language"
        )
    return PROMPTS[tag]
