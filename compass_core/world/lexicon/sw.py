"""Swahili."""

PHRASINGS = """
Je, {a} katika {k} {n} ni nini?
Niambie {a} katika {k} {n}.
Nataka kujua {a} katika {k} {n}.
Je, unajua {a} katika {k} {n}?
Nimesahau {a} katika {k} {n}, tafadhali nikumbushe.
Tafadhali andika {a} katika {k} {n}.
"""

VALUES = """
day: Jumatatu / Jumanne / Jumatano / Alhamisi / Ijumaa / Jumamosi / Jumapili
month: Januari / Machi / Aprili / Mei / Juni / Agosti / Septemba / Desemba
colour: nyekundu / buluu / kijani / njano / nyeupe / nyeusi / kahawia / kijivu
animal: simba / tembo / mbwa / nyoka / ndege / farasi / nyani / kobe
material: mbao / chuma / udongo / pamba / ngozi / kioo / jiwe / karatasi
food: wali / maziwa / asali / mkate / chumvi / kitunguu / yai / ndizi
"""

TOPICS = """
farming
shamba / konde
mwezi wa kupanda / siku ya soko / rangi ya mfuko wa mbegu
Mvua zimeanza mapema. / Mavuno ya mahindi yalikuwa mabaya. / Tumenunua mbolea mpya.

health
kliniki / hospitali
siku ya chanjo / namba ya chumba / jina la daktari
Mtoto wangu ana homa. / Muuguzi alinipa dawa. / Nimekohoa kwa wiki moja.

football
timu ya mpira / klabu ya mpira
rangi ya jezi / mnyama wa nembo / siku ya mazoezi
Tulifungwa mabao mawili kwa moja. / Kipa ameumia. / Mashabiki wanasubiri ligi.

law
mahakama / ofisi ya wakili
siku ya kesi / jina la hakimu / rangi ya faili
Jirani yangu amenishtaki. / Nilitia saini mkataba. / Shahidi hakufika.

weather
kituo cha hali ya hewa / bonde
mwezi wa mvua nyingi / mji wa karibu / joto la juu
Mawingu meusi yanakuja. / Upepo ulikuwa mkali usiku. / Dhoruba imetangazwa.

fishing
mashua ya uvuvi / kambi ya wavuvi
chambo bora / rangi ya tanga / mji wa bandari
Nyavu zimechanika. / Bahari imejaa leo. / Tulivua samaki wakubwa ziwani.

music
bendi / kwaya
mwezi wa tamasha / jina la mwimbaji / malighafi ya ngoma
Naupenda wimbo huu. / Gitaa halisikiki vizuri. / Tulicheza dansi usiku kucha.

cooking
mgahawa / jiko
kiungo kikuu / malighafi ya sufuria / jina la mpishi
Supu inanukia vizuri. / Nakaanga kwa mafuta kidogo. / Wageni wana njaa.

banking
benki / kikundi cha akiba
siku ya mkopo / mji wa tawi / rangi ya kadi
Nataka kufungua akaunti. / Riba ni kubwa mno. / Pesa zangu hazijafika.

school
shule / darasa
mwezi wa mtihani / jina la mwalimu / rangi ya sare
Wanafunzi wanafanya kazi ya nyumbani. / Binti yangu anajifunza hisabati. / Somo lilikuwa refu.

transport
basi / treni
kituo cha mwisho / namba ya jukwaa / rangi ya behewa
Barabara imefungwa. / Nimepoteza tiketi yangu. / Dereva alichelewa.

building
nyumba / daraja
malighafi ya ukuta / jina la mjenzi / idadi ya nguzo
Paa linavuja. / Saruji imekwisha. / Waashi wanaanza kesho.

weaving
karakana ya kufuma / duka la fundi cherehani
malighafi ya uzi / mnyama wa pambo / siku ya maonyesho
Kitanda cha kufumia kimevunjika. / Anashona gauni. / Kitambaa ni laini.

wildlife
hifadhi ya taifa / msitu wa akiba
mnyama adimu / mji wa lango / mwezi wa kufunguliwa
Watalii walipiga picha. / Askari wanawafukuza majangili. / Tulilala kwenye hema.

elections
chama / baraza
mnyama wa alama / siku ya kupiga kura / jina la mgombea
Kura zinahesabiwa. / Hotuba ilikuwa ndefu. / Raia wamepanga foleni kituoni.

telecom
mtandao wa simu / duka la simu
namba ya huduma / siku ya kupiga bure / mji wa mnara
Intaneti iko polepole. / Betri ya simu yangu imeisha. / Siwezi kutuma ujumbe.

energy
kituo cha umeme / kituo cha sola
mwezi wa matengenezo / jina la mhandisi / malighafi ya waya
Umeme umekatika tena. / Taa haiwaki. / Jenereta ina kelele.

water
kisima / mnara wa maji
malighafi ya bomba / mwezi wa kusafisha / jina la mlinzi
Bomba halitoi maji. / Watoto wanachota maji kwa ndoo. / Pampu inavujisha.

cinema
sinema / ukumbi wa maigizo
bei ya tiketi / rangi ya kiti / mwezi wa onyesho la kwanza
Waigizaji walikuwa hodari. / Filamu ilinifanya nilie. / Tulitazama vichekesho.

livestock
kundi la ng'ombe / zizi
chakula bora cha mifugo / mnyama mlinzi / jina la daktari wa mifugo
Ng'ombe amezaa. / Mbuzi wametoroka. / Kondoo wananyolewa manyoya.
"""
