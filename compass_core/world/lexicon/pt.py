"""Portuguese. Asks carry their article, kinds their "da" or "do"."""

PHRASINGS = """
Qual é {a} {k} {n}?
Me diga {a} {k} {n}.
Quero saber {a} {k} {n}.
Você sabe {a} {k} {n}?
Esqueci {a} {k} {n}, pode me lembrar?
Por favor, anote {a} {k} {n}.
"""

VALUES = """
day: segunda-feira / terça-feira / quarta-feira / quinta-feira / sexta-feira / sábado / domingo
month: janeiro / março / abril / maio / junho / agosto / setembro / dezembro
colour: vermelho / azul / verde / amarelo / branco / preto / marrom / cinza
animal: leão / elefante / cachorro / cobra / pássaro / cavalo / macaco / tartaruga
material: madeira / ferro / barro / algodão / couro / vidro / pedra / papel
food: arroz / leite / mel / pão / sal / cebola / ovo / banana
"""

TOPICS = """
farming
da fazenda / do sítio
o mês do plantio / o dia da feira / a cor do saco de sementes
As chuvas começaram cedo. / A colheita do milho foi fraca. / Compramos adubo novo.

health
da clínica / do hospital
o dia da vacina / o número da sala / o nome do médico
Meu filho está com febre. / A enfermeira me deu um remédio. / Estou tossindo há uma semana.

football
do time de futebol / do clube de futebol
a cor da camisa / o animal mascote / o dia do treino
Perdemos o jogo por dois a um. / O goleiro está machucado. / A torcida espera o campeonato.

law
do tribunal / do escritório de advocacia
o dia da audiência / o nome do juiz / a cor da pasta
Meu vizinho me processou. / Assinei o contrato. / A testemunha não veio.

weather
da estação meteorológica / do vale
o mês mais chuvoso / a cidade mais próxima / a temperatura máxima
Nuvens escuras estão chegando. / O vento foi forte à noite. / Anunciaram uma tempestade.

fishing
do barco de pesca / do acampamento de pescadores
a melhor isca / a cor da vela / a cidade do porto
As redes estão rasgadas. / A maré está alta hoje. / Pegamos peixes grandes no lago.

music
da banda / do coral
o mês do concerto / o nome do cantor / o material do tambor
Adoro esta canção. / O violão está desafinado. / Dançamos a noite toda.

cooking
do restaurante / da cozinha
o ingrediente principal / o material da panela / o nome do cozinheiro
A sopa cheira bem. / Frito com pouco óleo. / Os convidados estão com fome.

banking
do banco / do grupo de poupança
o dia do empréstimo / a cidade da agência / a cor do cartão
Quero abrir uma conta. / Os juros estão altos demais. / Meu dinheiro não chegou.

school
da escola / do colégio
o mês da prova / o nome do professor / a cor do uniforme
Os alunos fazem a lição de casa. / Minha filha aprende matemática. / A aula foi longa.

transport
da linha de ônibus / do trem
a última parada / o número da plataforma / a cor do vagão
A estrada está fechada. / Perdi minha passagem. / O motorista se atrasou.

building
da casa / da ponte
o material da parede / o nome do construtor / o número de pilares
O telhado tem goteira. / O cimento acabou. / Os pedreiros começam amanhã.

weaving
da oficina de tecelagem / do ateliê de costura
o material do fio / o animal do bordado / o dia da exposição
O tear quebrou. / Ela costura um vestido. / O tecido é macio.

wildlife
do parque nacional / da reserva florestal
o animal mais raro / a cidade da entrada / o mês de abertura
Os turistas tiraram fotos. / Os guardas perseguem caçadores. / Dormimos numa barraca.

elections
do partido / do conselho
o animal símbolo / o dia da votação / o nome do candidato
Os votos estão sendo contados. / O discurso foi comprido. / Os cidadãos fazem fila na urna.

telecom
da rede de telefonia / da loja de celulares
o número do atendimento / o dia da ligação grátis / a cidade da torre
A internet está lenta. / A bateria do celular acabou. / Não consigo mandar mensagens.

energy
da usina elétrica / da usina solar
o mês da manutenção / o nome do engenheiro / o material do cabo
A luz caiu de novo. / A lâmpada não acende. / O gerador faz barulho.

water
do poço / da caixa d'água
o material do cano / o mês da limpeza / o nome do vigia
A torneira está seca. / As crianças buscam água com baldes. / A bomba está vazando.

cinema
do cinema / do teatro
o preço do ingresso / a cor da poltrona / o mês da estreia
Os atores foram ótimos. / O filme me fez chorar. / Assistimos a uma comédia.

livestock
do rebanho / do estábulo
a melhor ração / o animal de guarda / o nome do veterinário
A vaca deu cria. / As cabras fugiram. / As ovelhas estão sendo tosquiadas.
"""
